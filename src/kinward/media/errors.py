"""Errors of decoding."""

from kinward.ground.errors import KinwardError


class TypeUnsupported(KinwardError):
    """Only digests are checked. Send JPEG, PNG, WebP, GIF, HEIC, AVIF, MP4, WebM, AVI or MPEG."""

    code = "media.type_unsupported"
    status = 415


class Undecodable(KinwardError):
    """This file cannot be decoded. Do not publish it; ask for it again."""

    code = "media.undecodable"
    status = 422


class TooPlain(KinwardError):
    """This shows too little structure to be compared. Only its digests can be checked."""

    code = "media.too_plain"
    status = 422


class PartUnread(KinwardError):
    """Some of what is packed in this file could not be read. Only its digests cover that part."""

    code = "media.part_unread"
    status = 422


class DrawingsUnread(KinwardError):
    """This draws something itself, such as lines. Its pictures and digests alone were checked."""

    code = "media.drawings_unread"
    status = 422


class TooManyPixels(KinwardError):
    """This has too many pixels. Send it smaller."""

    code = "media.too_many_pixels"
    status = 413


class Busy(KinwardError):
    """All decoders are busy. Try again in a moment."""

    code = "media.busy"
    status = 503


class DecoderLost(KinwardError):
    """A decoder was killed or did not start. Send the file again."""

    code = "media.decoder_lost"
    status = 503


class Unwalled(KinwardError):
    """The decoder sandbox could not be set up, so nothing is decoded. Run `kinward doctor`."""

    code = "media.unwalled"
    status = 503
