"""Evidence for legal process: releases of records, and destruction at an authority's request."""
