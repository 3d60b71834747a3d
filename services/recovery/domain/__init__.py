"""What recovery decides without asking anybody: valid plans, due and expired backups, what a drill has shown."""
