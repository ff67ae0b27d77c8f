"""`make chat PLATFORM=slack STACK=name`: walks an owner through setting up a chat platform.

Each platform is a module of three functions, see `walk.Platform`. What the deployment then needs
goes into its section of the secret that the stack's output ChatSecret names; the other sections,
and fields that are not the walk's, stay. The credentials come from the keyboard, unseen, or from
variables of the environment, and go nowhere but to the platform and into the secret.
"""
