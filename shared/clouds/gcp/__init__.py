"""Google Cloud, by google-cloud-compute and, for Cloud Monitoring, REST through google-auth."""
