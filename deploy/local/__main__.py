"""`python -m deploy.local up`."""

from deploy.local.up import main

main()
