// Takes a processor for 2 ms, again and again: whoever has it is interrupted. Ends with the process that started it.
process.on('disconnect', () => process.exit())
for (;;) {
  const end = performance.now() + 2
  while (performance.now() < end);
  await new Promise(resolve => setTimeout(resolve, 1))
}
