"""The pages for the platform's users: the family portal, reports by people, the Safety Center."""
