"""Turning what was sensed (an upload, a user report, a dispute, a grown list) into a finding in a case."""
