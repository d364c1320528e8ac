"""The face of `entrance` for what knows Django: the handler of the pages."""

from kinward.entrance.pages import Admits, Cookies, PageBounds, PagesHandler

__all__ = ["Admits", "Cookies", "PageBounds", "PagesHandler"]
