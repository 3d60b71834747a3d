"""What the provisioner decides: pure functions of facts and time."""
