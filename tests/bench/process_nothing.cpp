// SPDX-License-Identifier: Apache-2.0
// The least that a program can do.
int main() {}
