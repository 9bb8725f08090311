-- The role and the schema of one service. Safe to run again.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {role_name}) THEN
        CREATE ROLE {role};
    END IF;
END $$;

ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

-- An open transaction keeps VACUUM from removing the dead rows of the outbox, which slows down the relay.
ALTER ROLE {role} SET idle_in_transaction_session_timeout = '60s';

CREATE SCHEMA IF NOT EXISTS {schema};
