//! Black box: the real executable, the real `kubectl`, the commands a Kubernetes beginner types. Only the images are
//! WebAssembly.
//!
//! A module is a chapter of the walk-through; a test is a thing one learns there. Tests share a server and keep apart by
//! namespace, save those that need one for themselves. `address_space` runs all of it once more on a small machine.

mod harness;

mod address_space;
mod authorization;
mod bad_input;
mod clients;
mod cluster;
mod configuration;
mod crash_loop;
mod deployments;
mod exec;
mod guests;
mod images;
mod limits;
mod namespaces;
mod own_registry;
mod pod_life;
mod pods;
mod registries;
mod replica_sets;
mod rollout_under_load;
mod run;
mod self_healing;
mod services;
mod static_pods;
mod streams;
mod tokens;
mod toolbox;
mod volumes;
mod walk_through;
