-- A wallet service: users, wallets, tokens, balances, transactions. The same rows at every run.
-- psql -v n=THOUSANDS_OF_TRANSACTIONS -f shop.sql; see tests/lib/data.sh for sizes.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET synchronous_commit = off;
SET maintenance_work_mem = '128MB';

-- A number from 0 to 2^32-1 that looks random and is not: so that compression has realistic work.
CREATE FUNCTION mix(v bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
    SELECT (((v * 2654435761) % 4294967296) * 40503 + v * 97) % 4294967296
$body$;

CREATE TYPE tx_status AS ENUM ('pending', 'confirmed', 'failed');

CREATE TABLE users (
    id bigserial PRIMARY KEY,
    email text NOT NULL UNIQUE,
    display_name text NOT NULL,
    created_at timestamptz NOT NULL,
    settings jsonb NOT NULL DEFAULT '{}',
    tags text[] NOT NULL DEFAULT '{}',
    avatar bytea
);
INSERT INTO users (email, display_name, created_at, settings, tags, avatar)
SELECT 'user' || g || '@' || (ARRAY['example.com', 'example.org', 'mail.example.net'])[1 + g % 3],
       (ARRAY['Ada', 'Grace', 'Edsger', 'Barbara', 'Niklaus', 'Zoë', 'Łukasz', '雪'])[1 + mix(g) % 8] || ' ' ||
       (ARRAY['Hopper', 'Lovelace', 'Nygård', 'O''Brien', 'Müller', 'da Silva'])[1 + mix(g * 7) % 6],
       timestamptz '2024-01-01 00:00:00+00' + g * interval '61 seconds',
       jsonb_build_object('theme', (ARRAY['dark', 'light'])[1 + g % 2], 'limit', mix(g) % 10000),
       CASE WHEN g % 5 = 0 THEN ARRAY['vip', 'early bird', 'a,b', 'say "hi"'] ELSE '{}' END,
       CASE WHEN g % 10 = 0 THEN decode(md5(g::text) || md5((g + 1)::text), 'hex') END
FROM generate_series(1, :n * 40) g;

CREATE TABLE tokens (
    id smallint PRIMARY KEY,
    symbol text NOT NULL UNIQUE,
    decimals smallint NOT NULL CHECK (decimals BETWEEN 0 AND 30)
);
INSERT INTO tokens SELECT g, 'TKN' || g, 6 + g % 13 FROM generate_series(1, 12) g;

CREATE TABLE wallets (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL,
    address text NOT NULL,
    label text,
    created_at timestamptz NOT NULL
);
INSERT INTO wallets (user_id, address, label, created_at)
SELECT 1 + mix(g) % (:n * 40), '0x' || left(encode(sha256(g::text::bytea), 'hex'), 40),
       CASE WHEN g % 3 = 0 THEN 'savings ' || g END,
       timestamptz '2024-01-01 00:00:00+00' + g * interval '53 seconds'
FROM generate_series(1, :n * 60) g;

CREATE TABLE token_balances (
    wallet_id bigint NOT NULL,
    token_id smallint NOT NULL,
    balance numeric(38, 18) NOT NULL,
    updated_at timestamptz NOT NULL
);
INSERT INTO token_balances
SELECT w, t, (mix(w * 16 + t) % 1000000) / 1000.0, timestamptz '2026-01-01 00:00:00+00' + w * interval '1 second'
FROM generate_series(1, :n * 60) w, generate_series(1, 12, 4) t;

CREATE TABLE transactions (
    id bigserial PRIMARY KEY,
    wallet_id bigint NOT NULL,
    token_id smallint NOT NULL,
    direction "char" NOT NULL,
    amount numeric(38, 18) NOT NULL,
    fee numeric(20, 8) NOT NULL,
    status tx_status NOT NULL,
    tx_hash text NOT NULL,
    counterparty text NOT NULL,
    memo text,
    meta jsonb,
    created_at timestamptz NOT NULL
);
INSERT INTO transactions (wallet_id, token_id, direction, amount, fee, status, tx_hash, counterparty, memo, meta, created_at)
SELECT 1 + mix(g) % (:n * 60), 1 + mix(g * 3) % 12, CASE WHEN mix(g) % 2 = 0 THEN 'i' ELSE 'o' END,
       (mix(g * 5) % 100000000) / 10000.0, 0.00021, (ARRAY['pending', 'confirmed', 'failed'])[1 + mix(g) % 3]::tx_status,
       '0x' || encode(sha256(int8send(g)), 'hex'), '0x' || left(md5((mix(g) % 20000)::text), 20),
       (ARRAY['payment for services rendered, invoice attached to the message of ' || g % 365, 'refund of an earlier order', 'monthly subscription, thank you',
              'transfer between own accounts; see the statement of the month for its counterpart', 'staking reward', NULL])[1 + mix(g * 11) % 6],
       CASE WHEN g % 4 = 0 THEN jsonb_build_object('block', 18000000 + g / 180, 'gas', 21000 + mix(g) % 90000,
                                                   'chain', (ARRAY['mainnet', 'polygon', 'base'])[1 + mix(g) % 3]) END,
       timestamptz '2025-01-01 00:00:00+00' + g * interval '9 seconds'
FROM generate_series(1, :n::bigint * 1000) g;

ALTER TABLE wallets ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE token_balances ADD PRIMARY KEY (wallet_id, token_id);
ALTER TABLE token_balances ADD FOREIGN KEY (wallet_id) REFERENCES wallets (id);
ALTER TABLE token_balances ADD FOREIGN KEY (token_id) REFERENCES tokens (id);
ALTER TABLE transactions ADD FOREIGN KEY (wallet_id) REFERENCES wallets (id);
CREATE INDEX transactions_wallet ON transactions (wallet_id, created_at);
CREATE UNIQUE INDEX wallets_address ON wallets (address);

CREATE VIEW user_totals AS
SELECT u.id, u.email, count(t.id) AS transactions, coalesce(sum(t.amount), 0) AS total
FROM users u LEFT JOIN wallets w ON w.user_id = u.id LEFT JOIN transactions t ON t.wallet_id = w.id
GROUP BY u.id;

CREATE FUNCTION transfer_note(amount numeric, symbol text) RETURNS text LANGUAGE plpgsql AS $fn$
BEGIN
    -- A dollar quote inside another, and words that look like commands.
    RETURN format($q$transfer of %s %s; \connect nowhere$q$, amount, symbol);
END
$fn$;

-- Text that breaks careless parsers of a dump.
CREATE TABLE "Odd ""Name"", 100%" (
    "select" int PRIMARY KEY,
    "a b" text,
    "ümläut" text
);
INSERT INTO "Odd ""Name"", 100%" VALUES
    (1, E'quote \' double " back\\slash', 'plain'),
    (2, E'line one\nline two\n\\.\nline after an end mark', E'tab\there'),
    (3, E'\\.', E'\\N'),
    (4, E'\\! touch /tmp/should-not-exist', E'\\connect postgres'),
    (5, 'Unicode: žluťoučký kůň 你好 😀', E'carriage\rreturn'),
    (6, '', NULL),
    (7, 'COPY public.users (id) FROM stdin;', '-- PostgreSQL database dump complete'),
    (8, repeat('long ', 20000), E'\x01\x02\x7f');

CREATE TABLE nothing_in_it (id int);

SELECT lo_from_bytea(424242, decode(repeat('00ff10', 3000), 'hex'));
CREATE TABLE attachments (id int PRIMARY KEY, content oid NOT NULL);
INSERT INTO attachments VALUES (1, 424242);
ANALYZE;
