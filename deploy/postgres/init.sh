#!/bin/sh
# Creates a database and its three roles for each service. The official postgres image runs this file once from
# /docker-entrypoint-initdb.d; with PGHOST, PGUSER and PGPASSWORD set it prepares any managed PostgreSQL >= 15.
# Passwords: CANOPY_<SERVICE>_OWNER_PASSWORD and CANOPY_<SERVICE>_APP_PASSWORD for each of CANOPY_SERVICES.
set -eu
script="${CANOPY_SERVICE_SQL:-$(dirname "$0")/service.sql}"
for service in ${CANOPY_SERVICES:-gateway provisioner monitor costs recovery}; do
  upper=$(printf '%s' "$service" | tr '[:lower:]' '[:upper:]')
  eval "owner_password=\${CANOPY_${upper}_OWNER_PASSWORD:?is not set}"
  eval "app_password=\${CANOPY_${upper}_APP_PASSWORD:?is not set}"
  CANOPY_OWNER_PASSWORD="$owner_password" CANOPY_APP_PASSWORD="$app_password" \
    psql --no-psqlrc --quiet --username "${POSTGRES_USER:-${PGUSER:-postgres}}" --dbname postgres \
    -v service="$service" -f "$script"
done
