"""The face of `entrance` for what knows Django: the handler of the pages."""

from kinward.entrance.pages import Cookies, PageBounds, PagesHandler

__all__ = ["Cookies", "PageBounds", "PagesHandler"]
