"""What recovery decides, without asking anybody: which plans are valid, when backups are due or expire, what a drill shows."""
