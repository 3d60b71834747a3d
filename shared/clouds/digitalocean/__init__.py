"""DigitalOcean, through apache-libcloud's driver: droplets and their monitoring."""
