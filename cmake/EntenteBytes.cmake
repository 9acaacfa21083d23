# SPDX-License-Identifier: Apache-2.0
# For scripts that compile files into a program: ent_bytes(SYMBOL FILE OUT) appends the assembler text that defines SYMBOL and
# SYMBOL_end around the file's bytes, a NUL behind them; ent_bytes_begin and ent_bytes_end what stands around all.
function(ent_bytes_begin out by)
  set(${out} "/* made by ${by} */\n\t.section .rodata\n" PARENT_SCOPE)
endfunction()

function(ent_bytes symbol file out)
  set(${out} "${${out}}\t.balign 16\n\t.globl ${symbol}\n\t.hidden ${symbol}\n${symbol}:\n\t.incbin \"${file}\"\n\t.globl ${symbol}_end\n\t.hidden ${symbol}_end\n${symbol}_end:\n\t.byte 0\n" PARENT_SCOPE)
endfunction()

function(ent_bytes_end out)
  set(${out} "${${out}}\t.section .note.GNU-stack,\"\",@progbits\n" PARENT_SCOPE)
endfunction()
