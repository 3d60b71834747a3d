"""`python -m deploy.command`, which the script `canopy` calls."""

from deploy.command.app import main

main()
