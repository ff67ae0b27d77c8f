"""A simulation of everything that can go wrong, on virtual time; `make simulate`.

A run has one seed, which decides everything: who posts what and where, how the provider and the
chats behave, and which faults strike which requests. The definitions run in moto's interpreter,
with the handlers of the functions, botocore and the adapters as they are; the provider, the chats
and the programs that are called back are behind a socket. Whatever takes time takes virtual time:
every client, execution and invocation is an actor that gives the baton away at each of its
requests, so one process runs hours in a tenth of a second, and the same seed gives the same run,
byte for byte. A function may be killed at every request, or go on as a zombie after Step Functions
was told that it is dead, beside its successor, until its own time-out.

    scheduler     virtual time, and one actor at a time
    world         one run: the dice, the trace, and the way out of the product
    plans         what a seed stands for; deeds: who does what; faults: what strikes, and when
    creates, families, chat_faults   the families of faults
    studio, replies, wire, sockets   the provider, its socket, and ours
    chatroom, chat_adapters          the chats and the programs, and our side of the chats
    aws, functions, execution, interpreter   DynamoDB and S3, Lambda, Step Functions
    people, chat_people           clients, users, operators, EventBridge; those who chat
    invariants, delivery_invariants  what must hold after every run
    mutations     rules of the product that can be taken out: then it must go red
    seams         where it takes hold of the product, once in a process
    runs, campaign, __main__      one run, many runs, the command

What is not as on AWS: a redrive starts the execution again at the state where it ended, under the
same name, as Step Functions does, but moto does not know the call; a function's result that is too
large, and the other ends that no Catch takes, are put upon the execution from outside. The chats
are none of the real ones: they have what matters to telling a result once, with adapters of their
own, and what is written in them is read by a reader of their own.
"""
