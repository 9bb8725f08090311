-- One service: its role and its schema. Safe to run again.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {role_name}) THEN
        CREATE ROLE {role};
    END IF;
END $$;

ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

-- A forgotten transaction would slow down the outbox.
ALTER ROLE {role} SET idle_in_transaction_session_timeout = '60s';

CREATE SCHEMA IF NOT EXISTS {schema};
