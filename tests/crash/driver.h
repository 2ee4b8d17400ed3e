// What the test executable does when a test runs it again as a process of its own.
#pragma once

#include <string>
#include <vector>

namespace worker_runtime::testing {

/// The command line that runs this executable as a driver; the rest of it follows.
std::vector<std::string> driver(std::vector<std::string> arguments);

/// The work of a driver: its exit code. `arguments` are those that driver() was given.
///   pipe ROOT              request lines, one after the other, over a store with small files
///   inputs ROOT THREADS N  N blocking inputs by each thread, between two lines of output
///   open ROOT              opens and closes
///   hold ROOT fork|exec    opens, begins a child that lives until standard input ends (a copy of
///                          this process, or another program), says so, and waits to be killed
int run_driver(const std::vector<std::string>& arguments);

}  // namespace worker_runtime::testing
