"""Memberships bought for somebody else: paid by one, mailed on a day, redeemed by another."""
