"""Everything SQLAlchemy: engine, work (one transaction), outbox, inbox, journal, tenancy, migrations."""
