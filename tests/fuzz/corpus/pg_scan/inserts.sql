INSERT INTO public.t VALUES (1, 'it''s', NULL, 1.5e-05, E'a\\'b', '2026-11-21 10:00:00+00');
INSERT INTO public."T x" (a, "b") VALUES (-2, 'C:\', $a$b$c$a$, :x, u & 3); -- note
INSERT INTO t VALUES ('two
lines', /* a /* b */ */ '\x00ff');
