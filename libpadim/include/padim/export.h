#pragma once

/// \file
/// What libpadim shows: everything else is invisible to programs that link it.

/// Marks what the shared library exports. Exception types and classes to derive from carry it too, so that all
/// libraries of a process agree on what they are.
#define PADIM_API [[gnu::visibility("default")]]

/// Marks what a class that carries PADIM_API keeps to itself.
#define PADIM_LOCAL [[gnu::visibility("hidden")]]
