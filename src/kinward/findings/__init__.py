"""From what was sensed (upload, user report, dispute, grown list) to a finding in a case."""
