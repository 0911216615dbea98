"""Certificates for a server's TLS."""

import subprocess

from cluster import PostgresError, as_owner


def certificate_command(key, certificate):
    """Makes files of a key and a certificate for this machine that is its own authority."""
    return ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost,DNS:*.localhost", "-keyout", str(key), "-out", str(certificate)]


def make_certificate(folder, name):
    """Files of a key and a certificate for localhost that is its own authority, in a cluster's FOLDER."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    command = as_owner(*certificate_command(key, certificate))
    made = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if made.returncode:
        raise PostgresError(made.stderr)
    return key, certificate
