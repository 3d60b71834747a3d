-- One service's database with its three roles. Run by psql as an administrator; safe to run again.
--   psql -v service=costs [-v database=costs] [-v template=template0] -f service.sql
-- Passwords come from the environment, so that no process list shows them:
--   CANOPY_OWNER_PASSWORD, CANOPY_APP_PASSWORD
--
-- <service>_owner   migrations only: owns the database and every table
-- <service>_app     the running service: reads and writes rows of the organization it has set (row level security)
-- <service>_system  nobody's login: what the service becomes with SET LOCAL ROLE for work of no single organization
--
-- _app is NOINHERIT: being a member of _system must not by itself widen its policies. (PostgreSQL 16 could say so in
-- the grant, WITH INHERIT FALSE; the floor is 15.)
\set ON_ERROR_STOP on
\getenv owner_password CANOPY_OWNER_PASSWORD
\getenv app_password CANOPY_APP_PASSWORD
\if :{?database}
\else
  \set database :service
\endif
\if :{?template}
\else
  \set template template0
\endif
\set owner :service _owner
\set app :service _app
\set system :service _system
SET client_min_messages = warning;

SELECT format('CREATE ROLE %I', role)
  FROM unnest(ARRAY[:'owner', :'app', :'system']) AS role
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE :"owner" LOGIN PASSWORD :'owner_password';
ALTER ROLE :"app" LOGIN NOINHERIT PASSWORD :'app_password';
ALTER ROLE :"system" NOLOGIN;
GRANT :"system" TO :"app";
GRANT :"owner" TO CURRENT_USER;  -- the administrator of a managed PostgreSQL is no superuser

SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE %I ENCODING ''UTF8''', :'database', :'owner', :'template')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO :"app", :"system";

\connect :"database"
SET client_min_messages = warning;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"app", :"system";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"app", :"system";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
  GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO :"app", :"system";
