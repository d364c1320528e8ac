"""The pages for the platform's users: the family portal, user reports and the Safety Center."""
