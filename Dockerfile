# The Gradescope image: one for all assignments of the course. See docs/gradescope.md.
#
#   docker build -t course-autograder .
#
# CMD and ENTRYPOINT stay the base's: the platform's harness is in there.
ARG BASE_IMAGE=gradescope/autograder-base:ubuntu-22.04
FROM ${BASE_IMAGE}

# What takes the gigabyte and the minutes; built again only when one of these files changes. (The pattern stands for a
# file that need not exist: what else a course lets students import.)
COPY autograder/platforms/gradescope/setup.sh autograder/platforms/gradescope/requirements.txt graders/packages.tx[t] /autograder/source/
ARG TORCH_WHEELS=https://download.pytorch.org/whl/cpu/torch/
RUN bash /autograder/source/setup.sh

# Ours, from what changes seldom to what changes often.
COPY autograder/platforms/gradescope/run_autograder /autograder/run_autograder
COPY autograder /autograder/source/autograder
COPY solutions /autograder/source/solutions
COPY graders /autograder/source/graders

# The assignment where neither the file's name nor the title on the platform says which one it is.
ARG ASSIGNMENT=""
RUN chmod 755 /autograder/run_autograder && \
    printf '%s\n' "${ASSIGNMENT}" > /autograder/source/default_assignment && \
    /autograder/run_autograder --rehearse
