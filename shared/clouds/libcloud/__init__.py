"""What do the clouds have in common that are reached through apache-libcloud (DigitalOcean, Linode, Vultr)?"""
