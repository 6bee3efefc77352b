# The Gradescope image: one for all assignments of the course. See docs/gradescope.md.
#
#   docker build -t course-autograder .
#
# CMD and ENTRYPOINT stay those of the base image: they contain the platform's harness.
ARG BASE_IMAGE=gradescope/autograder-base:ubuntu-22.04
FROM ${BASE_IMAGE}

# This takes a gigabyte and several minutes; it is rebuilt only when one of these files changes. (The pattern matches an
# optional file that lists the other packages that a course lets students import.)
COPY autograder/platforms/gradescope/setup.sh autograder/platforms/gradescope/requirements.txt graders/packages.tx[t] /autograder/source/
ARG TORCH_WHEELS=https://download.pytorch.org/whl/cpu/torch/
RUN bash /autograder/source/setup.sh

# Our own files, ordered from rarely to often changed.
COPY autograder/platforms/gradescope/run_autograder /autograder/run_autograder
COPY autograder /autograder/source/autograder
COPY solutions /autograder/source/solutions
COPY graders /autograder/source/graders

# The assignment to use if neither the file's name nor the title on the platform says which one it is.
ARG ASSIGNMENT=""
RUN chmod 755 /autograder/run_autograder && \
    printf '%s\n' "${ASSIGNMENT}" > /autograder/source/default_assignment && \
    /autograder/run_autograder --record
