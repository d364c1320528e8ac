"""Still pictures and animations: every picture that a viewer shows of a file.

Only `media.picture` uses this. It runs on strangers' bytes, in a decoder process.
"""
