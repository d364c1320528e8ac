"""Evidence for legal process: releases of records, and destruction that an authority asks for."""
