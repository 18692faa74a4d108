-- One line per table of this database: its name, its rows, and a digest of its content where -v deep=1.
\set ON_ERROR_STOP on
SELECT format(CASE WHEN :deep = 1
    THEN 'SELECT %L, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM %I.%I t'
    ELSE 'SELECT %L, count(*) FROM %I.%I t' END, n.nspname || '.' || c.relname, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1
\gexec
