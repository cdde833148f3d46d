/* A thread as it stands in a signal handler, and the same thread again in a forked process. System V ABI, x86-64. */

        .text

/* long save_context(struct context *): 0, and 1 in the thread that start_thread makes of it. What the ABI lets a callee change
   need not be kept; the registers of the interrupted code lie in the signal frame, which is memory. */
        .globl save_context
        .hidden save_context
        .type save_context, @function
save_context:
        mov %rbx, 0(%rdi)
        mov %rbp, 8(%rdi)
        mov %r12, 16(%rdi)
        mov %r13, 24(%rdi)
        mov %r14, 32(%rdi)
        mov %r15, 40(%rdi)
        lea 8(%rsp), %rdx
        mov %rdx, 48(%rdi)
        mov (%rsp), %rdx
        mov %rdx, 56(%rdi)
        xor %eax, %eax
        ret
        .size save_context, . - save_context

/* long start_thread(flags, stack, parent_tid, child_tid, tls, struct context *): clone(2) whose child goes on in the context. */
        .globl start_thread
        .hidden start_thread
        .type start_thread, @function
start_thread:
        mov %rcx, %r10
        mov $56, %eax                   /* clone */
        syscall
        test %rax, %rax
        jz 1f
        ret
1:      mov 0(%r9), %rbx
        mov 8(%r9), %rbp
        mov 16(%r9), %r12
        mov 24(%r9), %r13
        mov 32(%r9), %r14
        mov 40(%r9), %r15
        mov 48(%r9), %rsp
        mov $1, %eax
        jmp *56(%r9)
        .size start_thread, . - start_thread

/* What a signal handler returns to: rt_sigreturn(2). */
        .globl signal_return
        .hidden signal_return
        .type signal_return, @function
signal_return:
        mov $15, %eax
        syscall
        .size signal_return, . - signal_return

        .section .note.GNU-stack, "", @progbits
