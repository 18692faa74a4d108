CREATE OR REPLACE FUNCTION f() BEGIN ATOMIC SELECT :x::y, "q""r", /* /* */ */ u&1; END;
\connect -reuse-previous=on "dbname='a'"
