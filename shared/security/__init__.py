"""Security that every service shares: sealed secrets, principals, roles and permissions."""
