"""A phone that is not there: a daemon that speaks the ADB transport, for the real adb to talk to.

Commands run on this computer, in a folder that stands for the phone's file system. All that it
says about itself is made up, and its property `ro.mobilekit.simulated` says so.
"""
