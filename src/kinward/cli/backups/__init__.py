"""What a backup consists of, how each part is sealed, and who signed it.

    database.age     pg_dump's archive
    secrets.tar.age  the secrets, the evidence key among them
    objects/         the sealed files of the store, if there is one, unchanged
    manifest.json    the SHA-256 of each of these files, the ledger's tree, Kinward's version
    manifest.note    the SHA-256 of the manifest, signed by the ledger's key (c2sp.org/signed-note)

Data streams through age while it is written. No plaintext reaches the disk, and the database is
never in memory as a whole. Whoever knows the age recipient can seal a backup. Who made one is told
by its note alone.
"""
