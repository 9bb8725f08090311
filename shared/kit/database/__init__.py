"""PostgreSQL: connections, parameters, migrations, and the kit's own tables."""
