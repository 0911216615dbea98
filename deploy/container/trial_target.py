#!/usr/bin/python3
"""For the local trial of compose.yaml: an S3 server in memory and the stand-in for Redshift, on every address of the
container, until it is stopped. Nothing of it survives that.

    trial_target.py S3_PORT REDSHIFT_PORT
"""

import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parents[2] / "tests"
sys.path.insert(0, str(TESTS / "lib"))
from s3_fake import S3Fake  # noqa: E402


def main():
    s3_port, redshift_port = int(sys.argv[1]), int(sys.argv[2])
    with S3Fake(buckets=("stage",), address="0.0.0.0", port=s3_port) as s3:
        keys = s3.credentials
        sys.exit(subprocess.call(
            [sys.executable, TESTS / "standin" / "standin.py", "--listen", f"0.0.0.0:{redshift_port}",
             "--user", "loader:loader-secret", "--s3-endpoint", f"http://127.0.0.1:{s3_port}",
             "--s3-access-key", keys.access_key, "--s3-secret-key", keys.secret_key, "--s3-region", keys.region,
             "--cluster-region", keys.region]))


main()
