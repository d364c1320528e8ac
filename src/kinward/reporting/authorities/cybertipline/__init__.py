"""NCMEC's CyberTipline (18 USC 2258A): documents, a client, and a sandbox."""
