# Targets db-backup and db-restore for a project's own Makefile:
#
#     include /usr/share/strongroom/strongroom.mk
#
#     make db-backup [LABEL=pre-migration] [BACKUP_DIR=/var/dumps] [VERBOSE=1]
#     make db-restore FILE=backups/pre-migration-20261120130501.sql.gz [FORCE=1]
#
# FILE is a file, or anything that `strongroom restore` takes: a label, a set, `latest`. FORCE=1 answers
# the question before an overwrite; into production it also needs ENV=production. The database is found
# as always: DATABASE_URL, DB_*, POSTGRES_*, PG*, from the environment or ./.env.
#
# Values reach the shell as variables, never as program text: a label with a quote stays a label.
STRONGROOM ?= strongroom

.PHONY: db-backup db-restore
db-backup:
	@$(STRONGROOM) backup $${LABEL:+--label="$$LABEL"}

db-restore:
	@if [ -z "$$FILE" ]; then echo 'usage: make db-restore FILE=backups/NAME.sql.gz [FORCE=1]' >&2; exit 2; fi; \
	$(STRONGROOM) restore $${FORCE:+--force --yes} -- "$$FILE"
