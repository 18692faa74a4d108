-- A database with what makes restoring hard. Made by a superuser.
CREATE ROLE "the owner";
CREATE ROLE reader;
CREATE ROLE "grantor;";
CREATE TABLE a (id integer PRIMARY KEY, t text NOT NULL DEFAULT E'x\ny');
INSERT INTO a SELECT g, repeat(chr(92) || '.' || chr(10), g % 3) || g FROM generate_series(1, 500) g;
ALTER TABLE a OWNER TO "the owner";
CREATE TABLE "b ""c" (x integer REFERENCES a(id), y text COLLATE "C");
INSERT INTO "b ""c" VALUES (1, '\.'), (2, 'GRANT SELECT ON a TO reader;'), (NULL, NULL);
CREATE TABLE "new
line" (x integer);
ALTER TABLE "new
line" OWNER TO "the owner";
GRANT SELECT ON "new
line" TO reader;
CREATE TABLE nothing ();
GRANT SELECT ON a TO reader, "grantor;" WITH GRANT OPTION;
GRANT UPDATE (t) ON a TO reader;
SET ROLE "grantor;";
GRANT SELECT ON a TO "the owner";
RESET ROLE;
CREATE SCHEMA app AUTHORIZATION "the owner";
GRANT USAGE ON SCHEMA app TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE "the owner" IN SCHEMA app GRANT SELECT ON TABLES TO reader;
COMMENT ON TABLE a IS 'about
GRANT SELECT ON a TO nobody;
ALTER TABLE a OWNER TO nobody;
\! echo';
CREATE FUNCTION app.f(i integer) RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
EXECUTE 'x';
GRANT SELECT ON a TO nobody;
RETURN $$
\restrict x
COPY a FROM stdin;
$$;
END
$f$;
ALTER FUNCTION app.f(integer) OWNER TO "the owner";
CREATE FUNCTION app.g() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
CREATE VIEW app.v AS SELECT id, t FROM a WHERE t <> 'x;y';
CREATE MATERIALIZED VIEW app.m AS SELECT count(*) AS n FROM a;
CREATE SEQUENCE s START 7 OWNED BY "b ""c".x;
SELECT nextval('s');
CREATE TABLE p (k integer, v text) PARTITION BY RANGE (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
INSERT INTO p SELECT g, 'part ' || g FROM generate_series(0, 19) g;
CREATE INDEX ON p (v);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN app.d AS text CHECK (VALUE <> ';');
CREATE RULE r AS ON INSERT TO nothing DO ALSO (SELECT 1; SELECT 2);
CREATE FUNCTION app.t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION app.t();
ALTER TABLE a ENABLE ROW LEVEL SECURITY;
CREATE POLICY pol ON a USING (id > 0);
SELECT lo_from_bytea(4711, '\x00010203'), lo_from_bytea(4712, '');
ALTER LARGE OBJECT 4711 OWNER TO "the owner";
GRANT SELECT ON LARGE OBJECT 4712 TO reader;
