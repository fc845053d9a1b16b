// Runs the program in the file named on the command line, which imports two functions and exports `run`.
import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {
    env: {
        host_print: (start, length) => console.log(new TextDecoder().decode(view(start, length))),
        host_random: (start, length) => randomFillSync(view(start, length)),
    },
});

// Made anew each time: memory that grows gets a new buffer.
function view(start, length) {
    return new Uint8Array(instance.exports.memory.buffer, start, length);
}

process.exitCode = instance.exports.run();
