--
-- PostgreSQL database dump
--

\restrict abc

SET standard_conforming_strings = on;
CREATE FUNCTION f() AS $_$ x $_$;
COPY public."a b" (x) FROM stdin;
1
\N
\.

SELECT E'a\'';
--
-- PostgreSQL database dump complete
--

\unrestrict abc

