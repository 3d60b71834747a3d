"""The provisioner's tables and every statement on them."""
