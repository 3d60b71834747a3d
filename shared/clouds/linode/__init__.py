"""Linode (Akamai), through apache-libcloud's driver: instances and their statistics."""
