"""Vultr, through apache-libcloud's driver: instances and the bandwidth that they used."""
