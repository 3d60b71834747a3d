"""DigitalOcean, through apache-libcloud's driver: droplets, block storage, monitoring."""
