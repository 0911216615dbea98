-- Tables with REPLICA IDENTITY FULL, run after traffic.sql: rows without a key (equal ones among them),
-- with one, and with a deferrable one whose keys trade places within a statement.
CREATE TABLE public.full_plain (a int, b text, c text, d double precision);
CREATE TABLE public.full_keyed (id int PRIMARY KEY, n int, body text);
CREATE TABLE public.full_deferrable (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, n int, body text);
ALTER TABLE public.full_plain REPLICA IDENTITY FULL;
ALTER TABLE public.full_keyed REPLICA IDENTITY FULL;
ALTER TABLE public.full_keyed ALTER body SET STORAGE EXTERNAL;
ALTER TABLE public.full_deferrable REPLICA IDENTITY FULL;
INSERT INTO traffic.emptied VALUES ('public.full_plain'), ('public.full_keyed'), ('public.full_deferrable');

CREATE FUNCTION traffic.full_plain(k int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CASE traffic.below(7)
  WHEN 0, 1 THEN
    INSERT INTO public.full_plain SELECT k % 20, traffic.odd(), NULL, traffic.float();
  WHEN 2 THEN  -- equal rows
    INSERT INTO public.full_plain SELECT k % 20, 'twin', repeat('t', 100 * (k % 40)), 1 FROM generate_series(0, k % 4);
  WHEN 3 THEN UPDATE public.full_plain SET c = traffic.big() WHERE a = k % 20 AND random() < 0.3;
  WHEN 4 THEN  -- one of several equal rows
    UPDATE public.full_plain SET a = traffic.below(20)
    WHERE ctid = (SELECT max(ctid) FROM public.full_plain WHERE a = k % 20);
  WHEN 5 THEN
    DELETE FROM public.full_plain WHERE ctid = (SELECT min(ctid) FROM public.full_plain WHERE a = k % 20);
  ELSE DELETE FROM public.full_plain WHERE a = k % 20 AND random() < 0.2;
  END CASE;
END $$;

CREATE FUNCTION traffic.full_keyed(k int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CASE traffic.below(5)
  WHEN 0, 1 THEN
    INSERT INTO public.full_keyed VALUES (k, 0, traffic.big())
    ON CONFLICT (id) DO UPDATE SET n = full_keyed.n + 1;
  WHEN 2 THEN UPDATE public.full_keyed SET id = traffic.key(), n = n + 1 WHERE id = k;
  WHEN 3 THEN UPDATE public.full_keyed SET body = traffic.big() WHERE id = k;
  ELSE DELETE FROM public.full_keyed WHERE id = k;
  END CASE;
END $$;

CREATE FUNCTION traffic.full_deferrable(k int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  SET CONSTRAINTS ALL DEFERRED;
  CASE traffic.below(6)
  WHEN 0, 1 THEN INSERT INTO public.full_deferrable VALUES (k, 0, traffic.big());
  WHEN 2 THEN  -- two keys trade places
    UPDATE public.full_deferrable SET id = 2 * k + 1 - id WHERE id IN (k, k + 1);
  WHEN 3 THEN  -- a ring
    UPDATE public.full_deferrable SET id = k + (id - k + 1) % 5, n = n + 1 WHERE id BETWEEN k AND k + 4;
  WHEN 4 THEN UPDATE public.full_deferrable SET body = traffic.odd() WHERE id = k;
  ELSE DELETE FROM public.full_deferrable WHERE id = k;
  END CASE;
  SET CONSTRAINTS ALL IMMEDIATE;
END $$;

CREATE OR REPLACE FUNCTION traffic.full_identity(k int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CASE traffic.below(4)
  WHEN 0, 1 THEN PERFORM traffic.full_plain(k);
  WHEN 2 THEN PERFORM traffic.full_keyed(k);
  ELSE PERFORM traffic.full_deferrable(k);
  END CASE;
END $$;
