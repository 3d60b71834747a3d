#!/bin/sh
# Writes a deployment's secrets to standard output, as variables for docker compose:
#   sh deploy/secrets.sh [telemetry] [simulated] >.env
# telemetry: with the OpenTelemetry collector.  simulated: with a simulated AWS, its load feeder and the sinks.
# Lose the key rings and nobody can read the stored credentials of clouds again: keep a copy where you keep secrets.
set -eu
umask 077

password() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 40; }
key_ring() { printf '{"primary":"%s","keys":{"%s":"%s"}}' "$1" "$1" "$(head -c 32 /dev/urandom | base64 | tr -d '\n')"; }

profiles=""
for profile in "$@"; do
  case $profile in
    telemetry | simulated) profiles="$profiles${profiles:+,}$profile" ;;
    *) echo "unknown profile $profile; there are telemetry and simulated" >&2; exit 2 ;;
  esac
done

echo "# Secrets and choices of this deployment. Never commit this file; .env.example says what each is."
echo "COMPOSE_PROFILES=$profiles"
echo "POSTGRES_PASSWORD=$(password)"
for service in GATEWAY PROVISIONER MONITOR COSTS RECOVERY; do
  echo "CANOPY_${service}_OWNER_PASSWORD=$(password)"
  echo "CANOPY_${service}_APP_PASSWORD=$(password)"
done
for user in GATEWAY PROVISIONER MONITOR COSTS RECOVERY NOTIFIER TOPOLOGY OPERATOR; do
  echo "CANOPY_NATS_${user}_PASSWORD=$(password)"
done
first="first-$(date -u +%Y%m%d)"
echo "CANOPY_KEY_RING='$(key_ring "$first")'"
echo "CANOPY_GATEWAY_KEY_RING='$(key_ring "$first")'"
for profile in "$@"; do
  case $profile in
    telemetry) echo "CANOPY_OTLP_ENDPOINT=http://collector:4318" ;;
    simulated)
      echo "CANOPY_AWS_ENDPOINT_URL=http://simulated-aws:8080"
      port=8091
      for cloud in AZURE DIGITALOCEAN GCP LINODE VULTR; do
        echo "CANOPY_${cloud}_ENDPOINT_URL=http://simulated-clouds:$port"
        port=$((port + 1))
      done
      echo "CANOPY_SMTP_HOST=sinks"
      echo "CANOPY_SMTP_PORT=2525"
      echo "CANOPY_ALLOW_PRIVATE_WEBHOOKS=true"
      ;;
  esac
done
